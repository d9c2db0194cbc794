"""Constants of the X protocol."""

AnyPropertyType: int
CopyFromParent: int
CurrentTime: int
InputOnly: int
NONE: int
PropModeReplace: int
SelectionClear: int
SelectionRequest: int
PropertyChangeMask: int
SubstructureNotifyMask: int
SubstructureRedirectMask: int
Above: int
Below: int
InputOutput: int
IsViewable: int
PointerRoot: int
GrabModeAsync: int
GrabSuccess: int
ButtonPress: int
ButtonRelease: int
KeyPress: int
KeyRelease: int
MotionNotify: int
RevertToParent: int
ClientMessage: int
