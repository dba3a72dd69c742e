// Keys of a page: `Alt+A`, `/`, `Ctrl+K`. A single letter or sign is not taken while somebody types.
export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>

/** The name of a key press, modifiers first: `Ctrl+Alt+A`. A Mac's ⌘ counts as Ctrl. */
export function keyName(event: Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey'>): string {
  // With Alt many layouts type another sign: the key's place says which letter was meant.
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1]
  const key = letter !== undefined && (event.altKey || event.ctrlKey || event.metaKey) ? letter : event.key
  return [
    event.ctrlKey || event.metaKey ? 'Ctrl' : '',
    event.altKey ? 'Alt' : '',
    key.length === 1 ? key.toUpperCase() : key,
  ]
    .filter(Boolean)
    .join('+')
}

function types(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

/** Listen for *keys* on the whole page; returns what ends it (give it to `$effect`). */
export function listen(keys: Keys): () => void {
  const heard = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return
    const name = keyName(event)
    if (!name.includes('+') && name !== 'Escape' && types(event.target)) return
    const act = keys[name]
    if (act === undefined) return
    event.preventDefault()
    act(event)
  }
  window.addEventListener('keydown', heard)
  return () => window.removeEventListener('keydown', heard)
}
