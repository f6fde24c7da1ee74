/** Who is here: a state that every page mirrors. */
import { Cacheable, type User } from 'fastify-perspective'
import type { Person } from '../contract.js'

export class Presence extends Cacheable<readonly Person[]> {
  constructor() {
    super([])
  }

  join({ id, username }: User): void {
    const isHere = this.state.some((person) => person.id === id)
    if (isHere) this.#count(id, 1)
    else this.update([...this.state, { id, username, pages: 1 }])
  }

  leave({ id }: User): void {
    this.#count(id, -1)
  }

  #count(id: string, more: number): void {
    const people = this.state.map((person) =>
      person.id === id ? { ...person, pages: person.pages + more } : person,
    )
    this.update(people.filter(({ pages }) => pages > 0))
  }
}
