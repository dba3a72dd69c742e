// What the planner's requests share: uploads and files that the typed client does not know, and jobs.
import { answer, api, Problem, problemOf } from '@/api/client'

const LOOK_MS = 400
const LOOKS_MAX = 2_000

/** Ask with `fetch` itself; a refusal is a Problem. */
export async function send(path: string, more: RequestInit = {}): Promise<Response> {
  let response: Response
  try {
    const headers = { 'X-Holdless': '1', ...(more.headers as Record<string, string> | undefined) }
    response = await fetch(path, { credentials: 'same-origin', ...more, headers })
  } catch {
    throw new Problem(0, 'network')
  }
  if (!response.ok) throw problemOf(response.status, await response.json().catch(() => null))
  return response
}

/** Let the browser keep what was answered as a file. */
export async function keep(response: Response, name: string): Promise<void> {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await response.blob())
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}

/**
 * Follow a job to its end, telling how far it is.
 * @throws Problem with the job's own word when it fails; `job_cancelled` when somebody ended it.
 */
export async function follow(job_id: string, tell: (progress: number | null) => void): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    const job = await answer(api.GET('/api/v1/jobs/{job_id}', { params: { path: { job_id } } }))
    if (job.state === 'done') return
    if (job.state === 'failed' || job.state === 'cancelled') {
      const params = job.error?.params ?? {}
      const detail = typeof params['detail'] === 'string' ? params['detail'] : ''
      throw new Problem(409, job.error?.error_id ?? 'job_cancelled', params, detail)
    }
    tell(job.progress ?? null)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  throw new Problem(0, 'network')
}
