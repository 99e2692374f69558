import Testing

@testable import TesseraCompute
