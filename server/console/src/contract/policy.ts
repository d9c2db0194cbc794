/** The policy's table, as `app/contract/policy.py`; a test compares the two. */
import { bool, bytes, int, list, object, oneOf, optional, type Read, text, withDefault } from "./reader";

const flag = (value: boolean) => withDefault(bool(), () => value);
const number = (value: number, min: number, max: number) => withDefault(int({ min, max }), () => value);

const TREATMENT = oneOf("ignore", "record", "warn", "refuse");
const treatment = (value: Read<typeof TREATMENT>) => withDefault(TREATMENT, () => value);

const CAPABILITY = oneOf(
  "kiosk",
  "input_guard",
  "clipboard_guard",
  "process_watch",
  "window_watch",
  "display_watch",
  "remote_watch",
  "device_watch",
  "capture_shield",
  "sleep_guard",
);

const SERVER = object({
  url: text({ min: 8, max: 500 }),
  token_key: bytes({ max: 1200 }),
  receipt_key: bytes({ min: 32, max: 32 }),
  pins: withDefault(list(bytes(), { max: 10 }), () => []),
});

const BROWSER = object({
  start_url: text({ min: 8, max: 2000 }),
  allow: list(text(), { min: 1, max: 200 }),
  submit_url: text({ min: 8, max: 2000 }),
  quit_code: withDefault(optional(bytes({ min: 48, max: 48 })), () => null),
  record_addresses: flag(false),
});

const LOCKDOWN = object({
  require: withDefault(list(CAPABILITY, { max: 20 }), () => ["kiosk", "process_watch"] as const),
  require_whole: flag(false),
  prohibit: withDefault(list(text(), { max: 500 }), () => []),
  permit: withDefault(list(text(), { max: 500 }), () => []),
  close_grace_ms: number(5_000, 0, 120_000),
  ask_before_closing: flag(true),
  unknown_programs: treatment("ignore"),
  displays: number(1, 1, 16),
  extra_displays: treatment("warn"),
  storage_devices: treatment("record"),
  input_devices: treatment("record"),
  injected_input: treatment("record"),
  virtual_machine: treatment("record"),
  remote_session: treatment("warn"),
  debugger: treatment("record"),
  virtual_devices: treatment("record"),
  evidence_permille: number(600, 100, 1_000),
});

const CAPTURE = object({
  camera: flag(true),
  microphone: flag(true),
  screen: flag(true),
  camera_width: number(640, 160, 1920),
  camera_height: number(480, 120, 1080),
  camera_fps: number(15, 1, 30),
  camera_kbps: number(300, 50, 8_000),
  screen_fps: number(5, 1, 15),
  screen_quality: number(60, 1, 100),
  screen_variable_rate: flag(false),
  microphone_kbps: number(24, 8, 128),
  codec: withDefault(oneOf("vp9", "h264", "av1"), () => "vp9" as const),
  segment_ms: number(5_000, 2_000, 10_000),
  live_view: flag(false),
});

const DETECTION = object({
  objects: flag(true),
  phones: flag(false),
  books: flag(false),
  second_look: flag(true),
  headphones: flag(false),
  faces: flag(true),
  looking_away: flag(true),
  gaze: flag(false),
  continuity: flag(false),
  speech: flag(true),
  loud_noise: flag(false),
  hints: flag(true),
  rate_permille: number(4_000, 200, 5_000),
  person_permille: number(400, 50, 950),
  object_permille: number(250, 50, 950),
  absent_ms: number(5_000, 1_000, 300_000),
  person_ms: number(1_500, 500, 60_000),
  object_ms: number(1_500, 500, 60_000),
  headphones_ms: number(5_000, 500, 60_000),
  away_degrees: number(35, 10, 90),
  away_ms: number(3_000, 500, 300_000),
  speech_ms: number(1_500, 300, 60_000),
});

const IDENTITY = object({ required: flag(false) });

const UPLOAD = object({
  heartbeat_ms: number(3_000, 1_000, 5_000),
  pause_when_metered: flag(false),
  quota_mib: number(4_096, 64, 1_000_000),
  deadline_s: number(600, 10, 86_400),
});

const RETENTION = object({ days: number(30, 1, 3_650) });

export const RECIPIENT = object({
  id: text({ min: 43, max: 43 }),
  name: text({ min: 1, max: 200 }),
  key: bytes({ min: 65, max: 65 }),
});

export const POLICY = object({
  version: int({ min: 1, max: 1 }),
  exam: text({ min: 1, max: 64 }),
  title: text({ min: 1, max: 200 }),
  institution: text({ min: 1, max: 200 }),
  issued_ms: int({ min: 0 }),
  expires_ms: int({ min: 0 }),
  demonstration: flag(false),
  duration_s: withDefault(optional(int({ min: 30, max: 86_400 })), () => null),
  server: SERVER,
  browser: BROWSER,
  lockdown: withDefault(LOCKDOWN, () => LOCKDOWN.read({}, "lockdown")),
  capture: withDefault(CAPTURE, () => CAPTURE.read({}, "capture")),
  detection: withDefault(DETECTION, () => DETECTION.read({}, "detection")),
  identity: withDefault(IDENTITY, () => IDENTITY.read({}, "identity")),
  upload: withDefault(UPLOAD, () => UPLOAD.read({}, "upload")),
  retention: withDefault(RETENTION, () => RETENTION.read({}, "retention")),
  recipients: list(RECIPIENT, { min: 1, max: 16 }),
});

export type Policy = Read<typeof POLICY>;
