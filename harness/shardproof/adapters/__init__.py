"""
Systems under test that come with the harness, each behind the seam of `adapter.py`.

`reference` is the protocol as it should be; `watermark` is another correct design, because
one that only its own sibling satisfies is no specification; `faulty` is the reference with
one mistake at a time. What a third party wrote is behind the other names.
"""
