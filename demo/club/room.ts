/** The one room of the club: its board, its journal, who is here. It lives in memory. */
import { ReferenceSet } from 'fastify-perspective'
import type { ClubAvatar } from '../avatar.js'
import type { ClubMind } from '../contract.js'
import { Board } from './board.js'
import { Journal } from './journal.js'
import type { Members } from './members.js'
import { Presence } from './presence.js'
import { fillBoard, fillJournal } from './past.js'

export class ClubRoom {
  readonly journal = new Journal()
  readonly board = new Board(this.journal)
  readonly presence = new Presence()
  readonly avatars = new Set<ClubAvatar>()
  /** The minds of all pages, to tell all of them something at once. */
  readonly pages = new ReferenceSet<ClubMind>()
  readonly members: Members
  #lastPage = 0

  constructor(members: Members) {
    this.members = members
    fillJournal(this.journal)
    fillBoard(this.board)
  }

  nextPage(): number {
    return ++this.#lastPage
  }

  enter(avatar: ClubAvatar): void {
    this.avatars.add(avatar)
    this.pages.add(avatar.mind)
    this.presence.join(avatar.user)
  }

  leave(avatar: ClubAvatar): void {
    // A page that had gone before it was attached never came in.
    if (!this.avatars.delete(avatar)) return
    this.pages.delete(avatar.mind)
    this.presence.leave(avatar.user)
  }

  clear(by: string): void {
    this.board.clear(by)
    this.pages.tell.cleared(by)
  }
}
