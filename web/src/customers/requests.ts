// What this page asks of the server.
import { answer, api, Problem, problemOf, type Schemas } from '@/api/client'

export type Page = Schemas['PartyPage']
export type Row = Schemas['PartyRow']
export type Entry = Schemas['TimelineEntry']
export type Duplicate = Schemas['DuplicateRow']
export type Import = Schemas['ImportPage']
export type ImportRow = Schemas['ImportRow']
export type Column = Required<Schemas['ColumnBody']>
export type Job = Schemas['JobRow']
export type Kind = Row['kind']
export type IdentifierBody = Schemas['IdentifierBody']

const at = (party_id: string) => ({ params: { path: { party_id } } })

export const find = (q: string, cursor: string | null) =>
  answer(api.GET('/api/v1/parties', { params: { query: { q, ...(cursor === null ? {} : { cursor }) } } }))
export const make = (body: Schemas['NewPartyBody']) => answer(api.POST('/api/v1/parties', { body }))
export const read = (id: string) => answer(api.GET('/api/v1/parties/{party_id}', at(id)))
export const edit = (id: string, body: Schemas['PartyChanges']) =>
  answer(api.PATCH('/api/v1/parties/{party_id}', { ...at(id), body }))
export const timeline = (party_id: string, cursor: string | null) =>
  answer(
    api.GET('/api/v1/parties/{party_id}/timeline', {
      params: { path: { party_id }, query: cursor === null ? {} : { cursor } },
    }),
  )
export const link = (id: string, body: IdentifierBody) =>
  answer(api.POST('/api/v1/parties/{party_id}/identifiers', { ...at(id), body }))
export const unlink = (party_id: string, identifier_id: string) =>
  answer(
    api.DELETE('/api/v1/parties/{party_id}/identifiers/{identifier_id}', {
      params: { path: { party_id, identifier_id } },
    }),
  )
export const writeNote = (id: string, text: string) =>
  answer(api.POST('/api/v1/parties/{party_id}/notes', { ...at(id), body: { text } }))
export const removeNote = (party_id: string, note_id: string) =>
  answer(api.DELETE('/api/v1/parties/{party_id}/notes/{note_id}', { params: { path: { party_id, note_id } } }))
export const duplicates = (id: string) => answer(api.GET('/api/v1/parties/{party_id}/duplicates', at(id)))
export const previewMerge = (merged_party_id: string, into_party_id: string) =>
  answer(api.GET('/api/v1/parties/merges/preview', { params: { query: { merged_party_id, into_party_id } } }))
export const merge = (merged_party_id: string, into_party_id: string) =>
  answer(api.POST('/api/v1/parties/merges', { body: { merged_party_id, into_party_id } }))
export const unmerge = (alias_id: string) =>
  answer(api.DELETE('/api/v1/parties/merges/{alias_id}', { params: { path: { alias_id } } }))

const the = (import_id: string) => ({ params: { path: { import_id } } })
export const imports = () => answer(api.GET('/api/v1/parties/imports'))
export const readImport = (id: string) => answer(api.GET('/api/v1/parties/imports/{import_id}', the(id)))
export const look = (id: string, body: Schemas['MappingBody']) =>
  answer(api.PUT('/api/v1/parties/imports/{import_id}/mapping', { ...the(id), body }))
export const start = (id: string) => answer(api.POST('/api/v1/parties/imports/{import_id}/start', the(id)))
export const undo = (id: string) => answer(api.POST('/api/v1/parties/imports/{import_id}/undo', the(id)))
export const job = (job_id: string) => answer(api.GET('/api/v1/jobs/{job_id}', { params: { path: { job_id } } }))
export const cancel = (job_id: string) =>
  answer(api.POST('/api/v1/jobs/{job_id}/cancel', { params: { path: { job_id } } }))
export const beginExport = (format: 'csv' | 'xlsx', words: string) =>
  answer(api.POST('/api/v1/parties/exports', { body: { format, words } }))

/** Send the file as it is: the body is the list. */
export async function upload(file: File): Promise<Import> {
  let response: Response
  try {
    response = await fetch(`/api/v1/parties/imports?name=${encodeURIComponent(file.name.slice(0, 200))}`, {
      method: 'POST',
      body: file,
      headers: { 'X-Holdless': '1', 'Content-Type': 'application/octet-stream' },
    })
  } catch {
    throw new Problem(0, 'network')
  }
  const body: unknown = await response.json().catch(() => null)
  if (!response.ok) throw problemOf(response.status, body)
  return body as Import
}

const LOOK_EVERY_MS = 500

/** Follow a job until it has ended; *seen* is told how far it is. Ends early when *isOver* says so. */
export async function follow(job_id: string, seen: (job: Job) => void, isOver: () => boolean): Promise<Job | null> {
  for (;;) {
    if (isOver()) return null
    const now = await job(job_id)
    seen(now)
    if (now.state !== 'queued' && now.state !== 'running') return now
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS))
  }
}
