// One ticking second for the whole page: timers count from `since_ms`, nobody sends ticks.
const state = $state({ ms: Date.now() })
let offset: () => number = () => 0
let users = 0
let timer: ReturnType<typeof setInterval> | undefined

/** Let the page's second follow the server's clock. */
export function followClock(nowMs: () => number): void {
  offset = () => nowMs() - Date.now()
}

/** Now in epoch milliseconds by the server's clock; inside a template it moves once a second. */
export function nowMs(): number {
  return state.ms
}

/** Keep the second ticking while a component lives: `$effect(ticking)`. */
export function ticking(): () => void {
  users += 1
  state.ms = Date.now() + offset()
  timer ??= setInterval(() => (state.ms = Date.now() + offset()), 1000)
  return () => {
    users -= 1
    if (users === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }
}
