import Testing

@testable import TesseraVision
