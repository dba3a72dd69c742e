// The pages there are, and whose they are: the frame's navigation and the way after sign-in.
import type { Role } from '../session/session.svelte'

export interface Face {
  readonly id: 'desk' | 'floor' | 'wall' | 'customers' | 'calls' | 'figures' | 'plan' | 'people'
  readonly path: string
  readonly roles: readonly Role[]
}

export const FACES: readonly Face[] = [
  { id: 'desk', path: '/desk', roles: ['agent'] },
  { id: 'floor', path: '/floor', roles: ['supervisor', 'planner', 'administrator'] },
  { id: 'wall', path: '/wall', roles: ['supervisor', 'planner', 'administrator'] },
  { id: 'customers', path: '/customers', roles: ['agent', 'supervisor', 'planner', 'administrator'] },
  { id: 'calls', path: '/calls', roles: ['agent', 'supervisor', 'planner', 'administrator'] },
  { id: 'figures', path: '/figures', roles: ['supervisor', 'planner', 'administrator'] },
  { id: 'plan', path: '/plan', roles: ['supervisor', 'planner', 'administrator'] },
  { id: 'people', path: '/people', roles: ['supervisor', 'administrator'] },
]

const HOME: Readonly<Partial<Record<Role, string>>> = {
  agent: '/desk',
  supervisor: '/floor',
  planner: '/plan',
  administrator: '/floor',
}

/** Where a role begins. */
export function homeOf(role: Role): string {
  return HOME[role] ?? '/calls'
}

/** The pages of a role, in the frame's order. */
export function facesOf(role: Role): readonly Face[] {
  return FACES.filter((face) => face.roles.includes(role))
}
