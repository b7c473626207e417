/** Records a voice note by the microphone. */
import { oggFromWebm } from "./ogg-opus.js";

/** What WhatsApp itself sends. */
const VOICE = "audio/ogg; codecs=opus";
const TYPES = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus"];

/** Whether this browser can record here. */
export function canRecord() {
  return typeof MediaRecorder === "function" && navigator.mediaDevices !== undefined;
}

/** Begins at once; rejects when the person or the machine lets us have no microphone. */
export async function startRecording() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, mimeType === undefined ? {} : { mimeType });
  /** @type {Blob[]} */
  const parts = [];
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
  recorder.start();

  function end() {
    if (recorder.state !== "inactive") recorder.stop();
    for (const track of stream.getTracks()) track.stop();
  }

  return {
    cancel: end,
    /** @returns {Promise<Blob>} Opus in Ogg, or what the browser records where it knows no Opus, by its own name */
    async finish() {
      end();
      await stopped;
      const type = recorder.mimeType.split(";")[0];
      if (type === "audio/ogg") return new Blob(parts, { type: VOICE });
      const ogg = type === "audio/webm" ? oggFromWebm(new Uint8Array(await new Blob(parts).arrayBuffer())) : null;
      return ogg === null ? new Blob(parts, { type: recorder.mimeType }) : new Blob([ogg], { type: VOICE });
    },
  };
}
