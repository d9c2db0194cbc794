"""The contract between application, server and verifier.

Pure code: the standard library and ``cryptography`` only, no clock, no file, no socket. Everything that
crosses a process or a network is defined here once, so that both ends read the same sentence.
"""
