// SPDX-License-Identifier: Apache-2.0
/// What zip archives hold that are not PyTorch's weights.
enum ZipContent {
  /// The refusal of an archive by the names of its members.
  static func refusal(_ path: String, _ names: [String], pickles: Int) -> TesseraError {
    let wanted = "safetensors or PyTorch weights"
    func bad(_ found: String, _ advice: String) -> TesseraError {
      .input(path, found: found, wanted: "\(wanted); \(advice)")
    }
    if pickles > 1 {
      return bad("a zip archive of \(pickles) PyTorch files", "unpack it and name the one that is meant")
    }
    if names.contains(where: { $0.hasSuffix(".npy") }) {
      return bad(
        "NumPy arrays (.npz)", "convert them: safetensors.numpy.save_file(dict(numpy.load(FILE)), OTHER)")
    }
    if names.contains("model.weights.h5") {
      return bad("a model of Keras (.keras)", FileKind.hdf5.advice)
    }
    if names.contains("[Content_Types].xml") || names.contains("mimetype") {
      return bad("an office document (.xlsx, .docx, .ods)", "name the file of weights")
    }
    let endings = [".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".tar", ".h5"]
    if let inner = names.first(where: { name in endings.contains { name.hasSuffix($0) } }) {
      return bad("a zip archive with \(inner) in it", "unpack it and name the file within")
    }
    let first = names.first.map { ", the first \($0)" } ?? ""
    return bad("a zip archive of \(names.count) files\(first)", "unpack it and name the file within")
  }

  /// The refusal of an archive that torch.jit.save made.
  static func torchScript(_ path: String) -> TesseraError {
    .input(
      path, found: "a TorchScript program (torch.jit.save)",
      wanted: "weights alone: torch.save(torch.jit.load(FILE).state_dict(), OTHER)")
  }
}
