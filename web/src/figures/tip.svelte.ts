// The one tooltip of the page: beside the number that has the focus or the pointer, gone with Escape.
export const tip = $state({ text: '', left: 0, top: 0 })
let about: Element | null = null

/** Say something about an element, below it. */
export function showTip(element: Element, text: string): void {
  hideTip()
  element.setAttribute('aria-describedby', 'tip')
  about = element
  tip.text = text
  placeTip()
}

/** Put it where its element is now. */
export function placeTip(): void {
  if (about === null) return
  const { left, bottom } = about.getBoundingClientRect()
  Object.assign(tip, { left, top: bottom })
}

export function hideTip(): void {
  about?.removeAttribute('aria-describedby')
  about = null
  tip.text = ''
}
