"""RandR: the classes under which its errors are registered, by number."""

BadRROutputError: type[Exception]
BadRRCrtcError: type[Exception]
BadRRModeError: type[Exception]
