// What the centre calls its reasons for not being ready; told with the choices.
export const reasonNames = $state<{ of: Readonly<Record<string, string>> }>({ of: {} })
