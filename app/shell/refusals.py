"""Codes to sentences: every code that can stop a session, what it means, and what to do. Pure."""

from collections.abc import Mapping
from typing import get_args

from app.contract.wire import RefusalCode

SENTENCES: Mapping[str, str] = {
    # From the server (app.contract.wire.RefusalCode)
    "E-EXAM-UNKNOWN": "The server does not know this exam. Open the newest link from your institution.",
    "E-INVITE-UNKNOWN": "The server does not know this invitation. Open the newest link from your institution.",
    "E-INVITE-USED": (
        "This link has already been used, on another computer or by another person. Ask your institution for a new one."
    ),
    "E-INVITE-EXPIRED": "This link has expired. Ask your institution for a new one.",
    "E-POLICY-EXPIRED": "The exam is over, or its rules have expired. Ask your institution.",
    "E-TOKENS": "The server could not recognise this computer. Open the link again; then ask your institution.",
    "E-SECOND-PROGRAM": (
        "This exam is already open in another Fairlock. Go on there, or ask your institution to release it."
    ),
    "E-SESSION-UNKNOWN": "The server does not know this session any more. Ask your institution.",
    "E-SESSION-ENDED": "This exam has already been handed in or ended. There is nothing left to do.",
    "E-NOT-SIGNED-IN": "The server wants this computer to join again. Open the link again.",
    "E-NOT-ALLOWED": "The server does not allow this. Ask your institution.",
    "E-FORMAT": "The server did not understand this version of Fairlock. Install the newest version.",
    "E-RECORD": "The server refused a piece of the recording. It is kept on this computer; tell your institution.",
    "E-CONFLICT": "The server holds a different recording for the same time. Tell your institution.",
    "E-BUSY": "The server is overloaded. Try again in a minute.",
    "E-STORAGE": "The server can't store the recording at the moment. Try again in a few minutes.",
    # From this computer
    "E-LINK": "This is not a complete exam link. Open the link from your institution again.",
    "E-SERVER": "The exam server can't be reached. Check your connection, then open the link again.",
    "E-SERVER-UNREACHABLE": "The exam server can't be reached. Check your connection, then open the link again.",
    "E-RETRY": "The exam server can't be reached. Check your connection, then open the link again.",
    "E-CLOCK": "The clock of this computer is wrong. Set date and time automatically, then open the link again.",
    "E-POLICY-FORGED": "The exam's rules are not genuine. Do not continue; tell your institution.",
    "E-POLICY-ADDRESS": "The exam's rules contain an address that can't be read. Tell your institution.",
    "E-INTEGRITY": "The server's answer is not genuine. Do not continue; tell your institution.",
    "E-CAMERA-NONE": "No camera was found. Connect one, then check again.",
    "E-CAMERA-BUSY": "The camera is in use. Close the program that uses it, then check again.",
    "E-CAMERA-BLACK": "The camera's picture is black. Open its cover or switch it on, then check again.",
    "E-CAMERA-DENIED": "The system does not let Fairlock use the camera. Allow it in the system's privacy settings.",
    "E-MICROPHONE-NONE": "No microphone was found. Connect one, then check again.",
    "E-MICROPHONE-BUSY": "The microphone is in use. Close the program that uses it, then check again.",
    "E-MICROPHONE-SILENT": "The microphone is silent. Switch it on, then check again.",
    "E-MICROPHONE-DENIED": (
        "The system does not let Fairlock use the microphone. Allow it in the system's privacy settings."
    ),
    "E-SCREEN": "The screen can't be recorded here. Use an X11 session, or another computer.",
    "E-DISK": "The disk is nearly full. Free some space, then check again.",
    "E-SPOOL-FULL": "The space set aside for the recording is full. Check the connection; tell your institution.",
    "E-FOLDER": "Fairlock's folder can't be used. Make it writable, or ask your administrator.",
    "E-MODEL-MISSING": "The detection model is not installed. Install Fairlock again.",
    "E-MODEL-HASH": "The detection model is not the genuine one. Install Fairlock again.",
    "E-DESKTOP": "This desktop is not supported. Use an X11 session, or another computer.",
    "E-PORT": "Another program uses a port that Fairlock needs. Close it, then try again.",
    "E-SYSTEM-LIBRARY": "A system package is missing. Ask your administrator to install it.",
    "E-ALREADY-RUNNING": "Fairlock is already running. Switch to its window.",
    "E-ARGUMENT": "Fairlock was started with an argument that would weaken it. Start it without.",
    "E-ENVIRONMENT": "The environment forces code into the exam browser. Start Fairlock from the menu.",
    "E-SELF-TEST": "This build of Fairlock is not sound. Install Fairlock again.",
    "E-UNSUPPORTED": "This computer can't do what the exam requires. Use another one, or ask your institution.",
    "E-FATAL": "Fairlock stopped because of a fault of its own. What was recorded is safe; open the link again.",
    "E-INTERNAL": "Fairlock stopped because of a fault of its own. What was recorded is safe; open the link again.",
}


def sentence(code: str, message: str) -> str:
    """Return what the candidate reads for ``code``.

    ``message`` is the sentence of another of our own processes; it is used only for a code that no server can send.
    """
    if code in SENTENCES:
        return SENTENCES[code]
    if code not in get_args(RefusalCode) and message:
        return message
    return f"The exam can't go on. Tell your institution the code {code[:40]}."
