"""Constants of the X protocol."""

AnyPropertyType: int
CopyFromParent: int
CurrentTime: int
InputOnly: int
NONE: int
PropModeReplace: int
SelectionClear: int
SelectionRequest: int
SubstructureNotifyMask: int
SubstructureRedirectMask: int
Above: int
Below: int
InputOutput: int
IsViewable: int
PointerRoot: int
GrabModeAsync: int
GrabSuccess: int
