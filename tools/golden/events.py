#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden bytes for Tests/TesseraPipelineTests: events as TensorBoard's own code writes them.

    tools/golden/events.py Tests/TesseraPipelineTests/Golden

Needs: pip install tensorboard.

events.json: `bytes` of a file of three events (in hexadecimal), by the times and figures that EventTests has.
"""

import io
import json
import os
import sys

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

EPOCHS = [
    (0, 1500000001.25, [("loss/training", 0.6931471805599453), ("loss/validation", 0.7), ("accuracy/validation", 0.5),
                        ("seconds/training", 0.25), ("seconds/validation", 0.125),
                        ("rows a second/training", 400.0), ("rows a second/validation", 160.0)]),
    (300, 1500000002.5, [("loss/training", 0.1), ("seconds/training", 3.0), ("rows a second/training", 1e9 / 3)])]


def main():
    out = io.BytesIO()
    writer = RecordWriter(out)
    writer.write(Event(wall_time=1500000000.0, file_version="brain.Event:2").SerializeToString())
    for step, time, scalars in EPOCHS:
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars]
        writer.write(Event(wall_time=time, step=step, summary=Summary(value=values)).SerializeToString())
    with open(os.path.join(sys.argv[1], "events.json"), "w") as file:
        json.dump({"bytes": out.getvalue().hex()}, file)
        file.write("\n")


main()
