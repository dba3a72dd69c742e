// The values of the topic `agent:<id>` under the desk's own names; their shapes are the server's. Moments in
// epoch milliseconds by the server's clock.
import type { Schemas } from '@/api/client'

export type Me = Schemas['DeskMe']
export type PhoneKind = Schemas['PhoneKind']
export type Call = Schemas['DeskCall']
export type Day = Schemas['DeskDay']
export type MyQueue = Schemas['QueueTile']
export type Pop = Schemas['DeskPop']
export type PartyCard = Schemas['PartyCard']
export type Note = Schemas['CardNote']
export type Presence = Schemas['Colleague']['presence']
export type Draft = Schemas['Draft']
