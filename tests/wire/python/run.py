"""Runs the stories of this folder, several at a time (most of their time is waiting), and prints one line for each.

Usage: run.py [--jobs N] [MODULE | SUBSTRING …]
Ends with a line `N passed, M failed`; the exit code is 1 if any failed, or none ran.
"""

import argparse
import concurrent.futures
import pathlib
import sys
import time
import traceback
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def stories(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from stories(item)
        else:
            yield item


def run(story):
    result = unittest.TestResult()
    begun = time.monotonic()
    story.run(result)
    troubles = [text for _, text in result.errors + result.failures]
    skips = [reason for _, reason in result.skipped]
    return story, time.monotonic() - begun, troubles, skips


def name_of(story):
    return story.id().removeprefix("test_").replace("_", " ")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("only", nargs="*")
    args = parser.parse_args()
    chosen = list(stories(unittest.defaultTestLoader.discover(str(HERE), top_level_dir=str(HERE))))
    if args.only:
        chosen = [
            story
            for story in chosen
            if any(word in story.id().removeprefix("test_") or story.id().startswith(word) for word in args.only)
        ]
    # Those that start servers of their own take longest: they go first.
    chosen.sort(key=lambda story: not getattr(story, "SLOW", False))
    passed, failed, skipped = 0, [], 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, story) for story in chosen]):
            try:
                story, seconds, troubles, skips = done.result()
            except Exception:  # a fault of the runner itself must not pass for a success
                failed.append(("the runner", traceback.format_exc()))
                continue
            if troubles:
                failed.append((name_of(story), "\n".join(troubles)))
                verdict = "FAILED"
            elif skips:
                skipped += 1
                verdict = f"left out: {skips[0]}"
            else:
                passed += 1
                verdict = "ok"
            print(f"{name_of(story)} … {verdict} ({seconds:.1f} s)", flush=True)
    for name, text in failed:
        print(f"\n---- {name} ----\n{text}")
    print(f"\n{passed} passed, {len(failed)} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
