"""The contract between application, server and verifier.

Pure code: the standard library and ``cryptography`` only, no clock, no socket, and no file but in ``sealing.archive``
(exports). Everything that crosses a process or a network is defined here once, so that both ends read the same
sentence.
"""
