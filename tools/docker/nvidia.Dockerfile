# SPDX-License-Identifier: Apache-2.0
# An image for NVIDIA GPUs. From a fresh clone: docker build -f tools/docker/nvidia.Dockerfile -t tessera-nvidia .
FROM swift:6.3-bookworm AS build
COPY . /src
RUN /src/tools/bundle /tessera.tar.gz \
 && mkdir /bundle && tar -xzf /tessera.tar.gz -C /bundle --strip-components=1

FROM debian:bookworm-slim
COPY --from=build /bundle /usr/local/lib/tessera
RUN mkdir -p /etc/OpenCL/vendors && echo libnvidia-opencl.so.1 >/etc/OpenCL/vendors/nvidia.icd
ENV PATH=/usr/local/lib/tessera:$PATH XDG_CACHE_HOME=/cache
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
VOLUME /cache
ENTRYPOINT ["tessera"]
