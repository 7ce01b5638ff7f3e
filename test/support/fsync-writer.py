"""fsync-writer.py FILE SECONDS: appends numbered lines, each synced before it counts. Prints what was acknowledged."""

import json
import os
import sys
import time

path, seconds = sys.argv[1], float(sys.argv[2])
descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
acknowledged, longest, errors = 0, 0.0, []
begin = last = time.monotonic()
while last - begin < seconds:
    try:
        os.write(descriptor, b"%d\n" % acknowledged)
        os.fsync(descriptor)
    except OSError as error:
        errors.append(str(error))
        time.sleep(0.02)
        last = time.monotonic()
        continue
    now = time.monotonic()
    longest, last = max(longest, now - last), now
    acknowledged += 1
    time.sleep(0.005)
print(json.dumps({"acknowledged": acknowledged, "longestMs": round(longest * 1000), "errors": errors}))
