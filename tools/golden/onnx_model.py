#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden bytes for Tests/TesseraPipelineTests: a model as ONNX's own code writes it.

    tools/golden/onnx_model.py Tests/TesseraPipelineTests/Golden VERSION

Needs: pip install onnx numpy. VERSION is Tessera's, which the model tells. onnx_model.json: `bytes` of a model with a
node of every kind of attribute and a constant of every kind of element (in hexadecimal), which ONNXTests builds too.
"""

import json
import os
import sys

import numpy
from onnx import AttributeProto, ModelProto, TensorProto, helper


def tensor(name, values, shape, kind):
    proto = TensorProto()
    proto.dims.extend(shape)
    proto.data_type = kind
    proto.name = name
    proto.raw_data = values.tobytes()
    return proto


def value(name, kind, columns):
    return helper.make_tensor_value_info(name, kind, ["batch", columns])


def main():
    node = helper.make_node("Conv", ["x", "w"], ["conv"], "conv")
    for name, values in [("epsilon", 0.25), ("group", 3), ("auto_pad", "SAME_UPPER"), ("pads", [0, 1, 300, -1])]:
        attribute = helper.make_attribute(name, values)
        if attribute.type == AttributeProto.FLOAT:
            attribute.f = numpy.float32(values)
        node.attribute.append(attribute)
    second = helper.make_node("Add", ["conv", "i"], ["conv_2"], "conv_2")
    graph = helper.make_graph(
        [node, second], "tessera", [value("x", TensorProto.FLOAT, 7)], [value("conv_2", TensorProto.FLOAT, 2)],
        [tensor("w", numpy.array([1.5, -2], "<f4"), [2], TensorProto.FLOAT),
         tensor("d", numpy.array([0.1], "<f8"), [], TensorProto.DOUBLE),
         tensor("i", numpy.array([-1, 2], "<i8"), [1, 2], TensorProto.INT64)], doc_string="a note")
    model = ModelProto()
    model.ir_version = 8
    model.producer_name = "tessera"
    model.producer_version = sys.argv[2]
    model.graph.CopyFrom(graph)
    model.opset_import.append(helper.make_opsetid("", 17))
    entry = model.metadata_props.add()
    entry.key, entry.value = "classes", "[\"a\",\"b\"]"
    with open(os.path.join(sys.argv[1], "onnx_model.json"), "w") as file:
        json.dump({"bytes": model.SerializeToString(deterministic=True).hex()}, file)
        file.write("\n")


main()
