// What the signed-in person may do here; the server decides, this only leaves out what it would refuse.
export interface May {
  readonly write: boolean
  readonly lead: boolean
}
