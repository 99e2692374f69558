import Kernels

extension OpenCLBackend {
  public func attention(
    _ p: PackedAttentionParameters, _ x: Tensor, lengths: [Int], bias: Tensor?, into y: Tensor
  ) throws {
    try composedAttention(p, x, lengths: lengths, bias: bias, into: y)
  }
}
