import { expect, test } from 'vitest'
import { nextPath } from './next'

const HERE = 'https://centre.example'

test.each([
  ['/desk', '/desk'],
  ['/customers?q=王#id', '/customers?q=%E7%8E%8B#id'],
])('leads on to %s', (next, path) => {
  expect(nextPath(`?next=${encodeURIComponent(next)}`, 'agent', HERE)).toBe(path)
})

test.each([
  'https://evil.example/desk',
  '//evil.example/desk',
  '/\\evil.example/desk',
  '\\\\evil.example',
  'javascript:alert(1)',
  '/people',
  '/sign-in',
  '/api/v1/session',
  '/desk/../people',
  'desk',
  '',
  'http://[',
])('does not lead an agent to %s', (next) => {
  expect(nextPath(`?next=${encodeURIComponent(next)}`, 'agent', HERE)).toBe('/desk')
})
