// The types of the topics, made from the server's own table (`Topics` of its schema): which topics there are,
// which keys each has, and what stands under a key. `*` stands for one id, in topics and in keys.
import type { Schemas } from '../api/client'

type Topics = Schemas['Topics']
type Filled<Pattern> = Pattern extends `${infer Head}*` ? `${Head}${string}` : Pattern

/** The name of a topic: `floor:all`, `agent:a1001`. */
export type TopicName = { [Pattern in keyof Topics]: Filled<Pattern> }[keyof Topics] & string

/** What the topic of that name shows, by key. */
export type DocumentOf<Name extends TopicName> = {
  [Pattern in keyof Topics]: Name extends Filled<Pattern> ? Topics[Pattern] : never
}[keyof Topics]

/** The keys of a document: `me`, `queue/support`. */
export type KeyOf<Document> = { [Pattern in keyof Document]-?: Filled<Pattern> }[keyof Document] & string

/** What stands under a key. */
export type ValueOf<Document, Key> = {
  [Pattern in keyof Document]-?: Key extends Filled<Pattern> ? NonNullable<Document[Pattern]> : never
}[keyof Document]

/** Beginnings that several keys share: `queue/`. */
export type PrefixOf<Document> = keyof Document extends infer Pattern
  ? Pattern extends `${infer Head}*`
    ? Head
    : never
  : never
