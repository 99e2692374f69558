# SPDX-License-Identifier: Apache-2.0
"""OpenCL platforms that give no device are named, and so is what helps; nothing breaks for want of a home."""

import os
import shutil
import subprocess

TITLE = "a platform without a device is named with the reason, an unseen NVIDIA driver with the file to write"
NVIDIA = "libnvidia-opencl.so.1"


def check(case):
    usual = case.run("devices", "--quick")
    case.accepts(usual)
    no_loader(case)
    no_driver(case)
    nvidia(case, "Portable Computing Language" in usual.out)
    homeless(case)
    if "Portable Computing Language" in usual.out:
        pocl(case)


def no_loader(case):
    nowhere = {"TESSERA_OPENCL_LIBRARY": "/nowhere/libOpenCL.so.1"}
    result = case.run("devices", "--quick", environment=nowhere)
    case.expect(result.code == 0 and "no OpenCL loader: /nowhere/libOpenCL.so.1" in result.out, "the loader is named", result)
    case.refuses(case.run("bench", "copy", "--device", "opencl", "--quiet", environment=nowhere), "no OpenCL loader", "nowhere")


def no_driver(case):
    empty = case.path("vendors")
    os.makedirs(empty)
    result = case.run("devices", "--quick", environment={"OCL_ICD_VENDORS": empty})
    case.expect(result.code == 0 and f"no .icd file in {empty}" in result.out, "the folder of drivers is named", result)
    case.refuses(case.run("bench", "copy", "--device", "opencl", "--quiet", environment={"OCL_ICD_VENDORS": empty}), empty)


def nvidia(case, has_pocl):
    """A host with NVIDIA's driver and no ICD file."""
    compiler = shutil.which("clang") or shutil.which("cc")
    folder, empty = case.path("driver"), case.path("none")
    os.makedirs(folder)
    os.makedirs(empty)
    library = f"{folder}/{NVIDIA}"
    surroundings = {"OCL_ICD_VENDORS": empty, "LD_LIBRARY_PATH": folder}
    if compiler:
        # A driver that is there and does not answer.
        source = case.write("driver.c", "int tsr_nothing(void) { return 0; }\n")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
        result = case.run("devices", "--quick", environment=surroundings)
        for word in ("NVIDIA's driver is installed", NVIDIA, f"{empty}/nvidia.icd", "OCL_ICD_VENDORS"):
            case.expect(result.code == 0 and word in result.out, f"devices says {word}", result)
        case.refuses(case.run("bench", "copy", "--device", "opencl", "--quiet", environment=surroundings), NVIDIA, "nvidia.icd")
        auto = case.run("bench", "copy", "--shape", "100x100", "--device", "auto", "--quiet", environment=surroundings)
        case.expect(auto.code == 0 and NVIDIA in auto.err and "the CPU computes" in auto.err, "auto warns and goes on", auto)
        os.remove(library)
    with open("/etc/OpenCL/vendors/pocl.icd") if has_pocl and os.path.exists("/etc/OpenCL/vendors/pocl.icd") else \
            open(os.devnull) as file:
        driver = file.read().strip()
    places = [driver] + [f"{place}/{driver}" for place in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib")]
    real = next((place for place in places if os.path.isabs(place) and os.path.isfile(place)), None)
    if real is None:
        return
    # A driver that answers is asked itself, as a loader would: any ICD driver does for the test.
    os.symlink(real, library)
    # PoCL looks for the parts of its devices beside itself.
    os.symlink(os.path.dirname(real) + "/pocl", folder + "/pocl")
    result = case.run("devices", "--quick", environment=surroundings)
    case.expect(result.code == 0 and "opencl:0" in result.out and "NVIDIA" not in result.out,
                "the driver's device is found without a file", result)
    # By its name, where its own files are found, it computes too.
    by_name = {"TESSERA_OPENCL_LIBRARY": real, "OCL_ICD_VENDORS": empty}
    result = case.run("devices", "--quick", environment=by_name)
    case.expect(result.code == 0 and "opencl:0" in result.out, "a driver by name", result)
    verify = case.run("verify", "--device", "opencl", "--only", "rowSum", "--quiet", environment=by_name)
    case.expect(verify.code == 0 and ", 0 mismatches" in verify.out, "and computes right", verify)


def homeless(case):
    """No home, no cache: everything works, nothing is kept."""
    for home in ("/nonexistent", "/proc", "", "relative"):
        environment = {"HOME": home, "XDG_CACHE_HOME": ""}
        case.accepts(case.run("bench", "copy", "--shape", "100x100", "--device", "cpu", "--quiet", environment=environment))
        case.accepts(case.run("devices", "--quick", environment=environment))
    case.accepts(case.run("devices", "--quick", environment={"XDG_CACHE_HOME": "/proc/none"}))


def pocl(case):
    """PoCL where it cannot make its cache."""
    places = {"HOME": "/proc/none", "XDG_CACHE_HOME": "/proc/none", "POCL_CACHE_DIR": "/proc/none"}
    result = case.run("devices", "--quick", environment=places)
    if "opencl:0" in result.out:
        return  # This PoCL does without.
    case.expect(result.code == 0, "code 0", result)
    for word in ("Portable Computing Language", "OpenCL error -1", "device not found", "POCL_CACHE_DIR", "HOME"):
        case.expect(word in result.out, f"devices says {word}", result)
    asked = case.run("bench", "copy", "--device", "opencl", "--quiet", environment=places)
    case.refuses(asked, "no device opencl", "Portable Computing Language", "POCL_CACHE_DIR", code=1)
    listed = case.run("devices", "--quick", "--json", environment=places)
    case.expect(listed.code == 0 and "Portable" in listed.err and listed.out.startswith("["), "JSON alone on stdout", listed)
    auto = case.run("bench", "copy", "--shape", "100x100", "--device", "auto", "--quiet", environment=places)
    case.accepts(auto)
    good = case.run("devices", "--quick", environment={**places, "POCL_CACHE_DIR": case.path("pocl")})
    case.expect("opencl:0" in good.out, "what is told helps", good)
