import Testing

@testable import TesseraPipeline
