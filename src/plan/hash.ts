import { createHash } from 'node:crypto'
import type { Host } from '../domain/host.ts'

/**
 * The hash that approves exactly these removals of this app, once: the count of approvals used so far is part of it.
 * @param removals sorted
 * @returns 16 hexadecimal digits
 */
export function approvalHash(appId: string, removals: readonly Host[], approvalsUsed: number): string {
  const text = JSON.stringify([appId, approvalsUsed, removals])
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
