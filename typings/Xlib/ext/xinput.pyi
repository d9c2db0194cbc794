AllDevices: int
RawButtonPress: int
RawButtonPressMask: int
RawKeyPress: int
RawKeyPressMask: int
RawMotion: int
RawMotionMask: int

class XIQueryVersion:
    def __init__(self, *, display: object, opcode: int, major_version: int, minor_version: int) -> None: ...
