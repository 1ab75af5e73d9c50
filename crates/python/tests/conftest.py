"""Ctrl-C reaches these tests also where they were started with it ignored, as shells do in the background."""

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)
