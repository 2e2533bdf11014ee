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
  // The reader's own way to write times, where it is that of the page's language.
  const { lang } = document.documentElement;
  const own = navigator.language.split("-")[0] === lang.split("-")[0];
  return new Intl.DateTimeFormat(own ? navigator.language : lang, form).format(date);
}
