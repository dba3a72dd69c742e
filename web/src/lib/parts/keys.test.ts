import { expect, it } from 'vitest'
import { keyName } from './keys'

const press = (over: Partial<KeyboardEvent>) =>
  keyName({ key: '', code: '', ctrlKey: false, metaKey: false, altKey: false, ...over })

it('names a key by the letter that was meant, whatever the layout types', () => {
  expect(press({ key: 'å', code: 'KeyA', altKey: true })).toBe('Alt+A')
  expect(press({ key: 'k', code: 'KeyK', metaKey: true })).toBe('Ctrl+K')
  expect(press({ key: '/' })).toBe('/')
  expect(press({ key: '?' })).toBe('?')
  expect(press({ key: 'Escape' })).toBe('Escape')
})
