"""Opens an index with the real FAISS and answers queries; one JSON document on stdout."""
import json
import sys

import faiss
import numpy

index = faiss.read_index(sys.argv[1])
queries = numpy.array(json.load(open(sys.argv[2])), dtype="float32")
scores, rows = index.search(queries, int(sys.argv[3]))
print(json.dumps({
    "version": faiss.__version__,
    "kind": type(faiss.downcast_index(index)).__name__,
    "count": index.ntotal,
    "dimensions": index.d,
    "metric": index.metric_type,
    "trained": bool(index.is_trained),
    "rows": rows.tolist(),
    "scores": scores.tolist(),
}))
