"""Answers about files, one JSON document: python3 inspect_model.py equal A B | index FILE | poison FILE MARK."""

import json
import sys

act, *files = sys.argv[1:]
if act == "equal":
    import torch

    first, second = (torch.load(file, weights_only=True) for file in files)
    same = first["words"] == second["words"] and torch.equal(first["vectors"], second["vectors"])
    print(json.dumps({"equal": bool(same), "rows": len(first["words"])}))
elif act == "index":
    import faiss

    index = faiss.read_index(files[0])
    print(json.dumps({"kind": type(index).__name__, "rows": index.ntotal, "dimensions": index.d, "metric": index.metric_type}))
elif act == "poison":
    import os
    import torch

    class Poison:
        def __reduce__(self):
            return os.system, (f"touch {files[1]}",)

    torch.save({"format": "epsilon-example-1", "words": Poison()}, files[0])
    print(json.dumps({"version": torch.__version__}))
