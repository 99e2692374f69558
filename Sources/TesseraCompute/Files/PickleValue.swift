// SPDX-License-Identifier: Apache-2.0
/// What the unpickler can hold: plain data, tensors, and inert stand-ins for everything else.
enum PickleValue {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case text(String)
  /// Bytes, which no weights are: they are not kept.
  case bytes
  case tuple(PickleBox)
  case list(PickleBox)
  case dictionary(PickleBox)
  /// A class or function, by module and name with a blank between; never looked up, never called.
  case global(String)
  case storage(PickleStorage)
  case tensor(PickleTensor)
  /// An object of a class that is not run: its class, and what it would have been made of.
  case object(PickleObject)
  case mark
}

/// Items of a list or tuple, or keys and values of a dictionary in turns.
final class PickleBox {
  var items: [PickleValue]
  init(_ items: [PickleValue] = []) { self.items = items }
}

/// The stand-in for an object: nothing of its class is run.
final class PickleObject {
  /// Module and name of the class or function that was asked for.
  let name: String
  /// Keys and values in turns that the pickle puts into it, where its class is a kind of dictionary.
  let pairs: PickleBox
  /// The attributes that the pickle gives it.
  var state: PickleValue = .none

  init(_ name: String, _ pairs: PickleBox) { (self.name, self.pairs) = (name, pairs) }
}

/// Owns all boxes of a pickle and empties them one by one in the end: a hostile file may nest them a
/// million deep or in circles, which must neither overflow the stack nor leak.
final class PickleArena {
  private var boxes: [PickleBox] = []
  private var objects: [PickleObject] = []

  func box(_ items: [PickleValue] = []) -> PickleBox {
    let box = PickleBox(items)
    boxes.append(box)
    return box
  }

  func object(_ name: String) -> PickleObject {
    let object = PickleObject(name, box())
    objects.append(object)
    return object
  }

  deinit {
    for box in boxes { box.items = [] }
    for object in objects { object.state = .none }
  }
}

/// A storage of elements, and where within it a view begins that very old files name.
struct PickleStorage {
  let key: String
  let type: StoredType
  var offset = 0
}

/// A view of a storage; a tensor whose elements are not read (quantised, sparse, without any) has none.
struct PickleTensor {
  let storage: String?
  let type: StoredType
  var offset = 0
  var shape: [Int] = []
  var strides: [Int] = []
}
