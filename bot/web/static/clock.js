// Times as people read them.

/** Seconds as `1:02` or `1:00:02`. */
export function clock(seconds) {
  const whole = Math.floor(seconds + 0.001);
  const parts = [Math.floor(whole / 60) % 60, String(whole % 60).padStart(2, "0")];
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${String(parts[0]).padStart(2, "0")}:${parts[1]}` : parts.join(":");
}

/** A moment in seconds since 1970: the time of day, with the date where it is another day. */
export function moment(seconds) {
  const date = new Date(seconds * 1000);
  const today = date.toDateString() === new Date().toDateString();
  const form = today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(document.documentElement.lang, form).format(date);
}
