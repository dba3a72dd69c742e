// Where on the page one is: `#/` the list, `#/<id>` a person, `#/import` and `#/import/<id>` the lists that come in.
export type Place =
  | { readonly at: 'list' }
  | { readonly at: 'party'; readonly id: string }
  | { readonly at: 'import'; readonly id: string | null }

const state = $state<{ place: Place }>({ place: read() })
globalThis.addEventListener?.('hashchange', () => (state.place = read()))

function read(): Place {
  const [first = '', second = ''] = (globalThis.location?.hash ?? '').replace(/^#\/?/, '').split('/')
  if (first === 'import') return { at: 'import', id: second || null }
  return /^[0-9a-f-]{36}$/i.test(first) ? { at: 'party', id: first } : { at: 'list' }
}

export function place(): Place {
  return state.place
}

export function go(hash: string): void {
  location.hash = hash
}
