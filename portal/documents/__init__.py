"""Papers: acts, packing lists, labels, release notes and reports as PDF; QR codes and digests in words.

Plain frozen facts in, bytes out: nothing here knows the database or the web.
"""
