/** The avatar: the server's object for one connected user, and the list of what that user's page may call. */
import { Avatar, type AvatarSession, type Local, type RemoteMethods } from 'fastify-perspective'
import { z } from 'zod'
import { PLACE } from './club/board.js'
import { askEverybody } from './club/question.js'
import type { ClubRoom } from './club/room.js'
import { COLOURS, type Club, type ClubMind, type Colour } from './contract.js'

// Django's words: app label, action, model.
const CLEAR_BOARD = 'board.clear_board'
const CHANGE_USER = 'auth.change_user'

export class ClubAvatar extends Avatar<ClubMind> implements Local<Club> {
  static readonly remote: RemoteMethods<Club> = {
    enter: true,
    add: [z.enum(COLOURS)],
    point: [PLACE, PLACE],
    ask: [z.string().trim().min(1).max(140), z.instanceof(AbortSignal)],
    exportJournal: [z.instanceof(AbortSignal)],
    clear: { requires: CLEAR_BOARD },
    members: { requires: CHANGE_USER },
    setActive: { args: [z.string(), z.boolean()], requires: CHANGE_USER },
  }
  /** What this page is known by at the others. */
  readonly page: number
  readonly #room: ClubRoom

  constructor(session: AvatarSession, room: ClubRoom) {
    super(session)
    this.#room = room
    this.page = room.nextPage()
  }

  override attached() {
    this.#room.enter(this)
  }

  override detached() {
    this.#room.leave(this)
  }

  async enter() {
    const { board, presence } = this.#room
    return {
      board,
      presence,
      mayClear: await this.session.hasPerm(CLEAR_BOARD),
      mayManage: await this.session.hasPerm(CHANGE_USER),
    }
  }

  add(colour: Colour) {
    this.#room.board.add(colour, this.user.username)
  }

  point(x: number, y: number) {
    const { page, user } = this
    this.#room.pages.tellExcept(this.mind).pointed({ page, username: user.username, x, y })
  }

  ask(text: string, signal: AbortSignal) {
    return askEverybody(this.#room.avatars, { from: this.user.username, text }, signal)
  }

  exportJournal(signal: AbortSignal) {
    return this.#room.journal.export(signal)
  }

  clear() {
    this.#room.clear(this.user.username)
  }

  members() {
    return this.#room.members.list()
  }

  setActive(memberId: string, isActive: boolean) {
    return this.#room.members.setActive(memberId, isActive, this.user)
  }
}
