# SPDX-License-Identifier: Apache-2.0
"""Kaggle's labeledTrainData.tsv (quotes behind backslashes) and the SMS Spam Collection (quotes mean nothing)."""

TITLE = "tables of other dialects are read right"


def check(case):
    encoder = case.encoder("enc")

    def embedded(name, *more):
        out = case.path("o.safetensors")
        result = case.run("embed", "--encoder", encoder, "--data", case.path(name), "--device", "cpu", "--out", out, *more)
        return result, out

    case.write("labeledTrainData.tsv", 'id\tsentiment\treview\n"11_8"\t1\t"A calm and lovely film, seen twice."\n'
               '"12_3"\t0\t"\\"The best film ever,\\" said the poster. Not \\"the best\\"."\n"13_2"\t0\t"Dull from start to end."\n'
               '"14_9"\t1\t"Warm, and \\"odd\\" in the right way."\n')
    case.write("plain.jsonl", '{"text":"A calm and lovely film, seen twice.","label":1}\n'
               '{"text":"\\"The best film ever,\\" said the poster. Not \\"the best\\".","label":0}\n'
               '{"text":"Dull from start to end.","label":0}\n{"text":"Warm, and \\"odd\\" in the right way.","label":1}\n')
    right, _ = embedded("plain.jsonl")
    for more in ((), ("--quotes", "backslash")):
        result, _ = embedded("labeledTrainData.tsv", *more)
        case.expect(result.code == 0 and case.fingerprint(result) == case.fingerprint(right),
                    f"the features of the same texts as JSON {more}", result)
    case.expect("backslash" in embedded("labeledTrainData.tsv")[0].err, "the dialect is told")

    case.write("sms.tsv", 'label\ttext\nham\tok see you at six\nham\t"Who misses someone is a friend" so they say..\n'
               'spam\tYou have won a prize, call now\nham\tthanks\nspam\t"Win" or "lose"\n')
    case.write("sms.jsonl", '{"text":"ok see you at six","label":"ham"}\n'
               '{"text":"\\"Who misses someone is a friend\\" so they say..","label":"ham"}\n'
               '{"text":"You have won a prize, call now","label":"spam"}\n{"text":"thanks","label":"ham"}\n'
               '{"text":"\\"Win\\" or \\"lose\\"","label":"spam"}\n')
    right, _ = embedded("sms.jsonl")
    for more in ((), ("--quotes", "none")):
        result, _ = embedded("sms.tsv", *more)
        case.expect(result.code == 0 and case.fingerprint(result) == case.fingerprint(right),
                    f"the features of the same texts as JSON {more}", result)
    # The collection itself has no header.
    case.write("raw", "".join(open(case.path("sms.tsv")).readlines()[1:]))
    result, _ = embedded("raw", "--no-header", "--text-column", "2", "--label-column", "1")
    case.expect(result.code == 0 and case.fingerprint(result) == case.fingerprint(right), "the same without a header", result)
    result, _ = embedded("raw")
    case.expect(result.code == 2 and "--no-header" in result.err, "the option that helps", result)
    result, _ = embedded("sms.tsv", "--quotes", "single")
    case.refuses(result, "quotes: found single", "none, double or backslash")
