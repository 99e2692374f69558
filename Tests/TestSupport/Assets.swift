// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Real data and weights for tests. What is missing is a failure under CI (`TESSERA_REQUIRE_ASSETS`), else
/// a skip.
public enum Assets {
  private static let environment = ProcessInfo.processInfo.environment
  private static let cache: String = {
    if let own = environment["TESSERA_CACHE"], !own.isEmpty { return own }
    let base = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    return (base ?? (environment["HOME"] ?? "/root") + "/.cache") + "/tessera"
  }()
  private static let shared = environment["TESSERA_ASSETS"] ?? ""

  private static func usable(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path) || environment["TESSERA_REQUIRE_ASSETS"] != nil
  }

  /// The MiniLM-L6 encoder's folder.
  public static let encoder = cache + "/minilm-l6"
  /// Whether it is there.
  public static let hasEncoder = usable(encoder)
  /// The MPNet encoder's folder.
  public static let mpnet = cache + "/mpnet-base"
  /// Whether it is there. Too large for CI, which goes without.
  public static let hasMPNet = FileManager.default.fileExists(atPath: mpnet)
  /// GPT-2's byte-level vocabulary.
  public static let gpt2Vocabulary = cache + "/gpt2-vocabulary"
  /// Whether it is there.
  public static let hasGPT2Vocabulary = usable(gpt2Vocabulary)
  /// 10,605 sentences with labels.
  public static let snippets = cache + "/snippets/snippets.csv"
  /// Whether they are there.
  public static let hasSnippets = usable(snippets)
  /// EfficientNet-Lite0's weights as a legacy `.pth`.
  public static let efficientNet = cache + "/efficientnet-lite0/efficientnet-lite0-57934424.pth"
  /// Whether they are there.
  public static let hasEfficientNet = usable(efficientNet)
  /// 2,000 IMDB reviews.
  public static let reviews = shared + "/imdb/sample_train2000.csv"
  /// Whether they are there.
  public static let hasReviews = usable(reviews)
  /// VGG16's slice with real weights.
  public static let vgg16 = shared + "/vision/vgg16_slice.safetensors"
  /// Whether it is there.
  public static let hasVGG16 = usable(vgg16)
  /// The slice of Caffe's BVLC AlexNet with real weights.
  public static let bvlc = shared + "/vision/alexnet_bvlc_slice.safetensors"
  /// Whether it is there.
  public static let hasBVLC = usable(bvlc)
}
