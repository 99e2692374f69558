import Testing

@testable import TesseraImages
