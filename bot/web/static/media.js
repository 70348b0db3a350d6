// Files and sound on their way up: uploading with progress, recording from the microphone.
import { tr } from "/static/texts.js";

export const upload = (content, name, onProgress) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/files?name=${encodeURIComponent(name)}`);
    request.upload.onprogress = (event) => onProgress(event.loaded / event.total);
    request.onerror = () => reject(new Error(tr("{file} could not be sent: the connection was cut.", { file: name })));
    request.onload = () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        answer.fault = tr("{file} could not be sent ({status}).", { file: name, status: request.status });
      }
      if (request.status === 200) resolve(answer);
      else reject(new Error(answer.fault));
    };
    request.send(content);
  });

const KINDS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];

export class Recorder {
  // `seconds` counts while it runs; `stop` gives the sound.
  static async start() {
    if (!navigator.mediaDevices?.getUserMedia) throw new Error(tr("This browser records only on https or on this machine itself."));
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch(() => {
      throw new Error(tr("The microphone could not be used: allow it for this page, or attach a recording."));
    });
    return new Recorder(stream);
  }

  constructor(stream) {
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    this.stream = stream;
    this.pieces = [];
    this.begun = performance.now();
    this.recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 32_000 });
    this.recorder.ondataavailable = (event) => this.pieces.push(event.data);
    this.recorder.start(1000);
  }

  get seconds() {
    return (performance.now() - this.begun) / 1000;
  }

  stop() {
    const seconds = this.seconds;
    return new Promise((resolve) => {
      this.recorder.onstop = () => {
        const type = this.recorder.mimeType.split(";")[0];
        resolve({ content: new Blob(this.pieces, { type }), name: `${tr("voice note")}.${type.split("/")[1]}`, seconds });
      };
      this.recorder.stop();
      this.stream.getTracks().forEach((track) => track.stop());
    });
  }
}
