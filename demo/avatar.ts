/** The avatar: the server's object for one connected user, and the list of what that user's page may call. */
import { Avatar, tell } from 'fastify-perspective'
import type { AvatarSession, Local, RemoteMethods } from 'fastify-perspective'
import { z } from 'zod'
import type { Chat, ChatMind } from './contract.js'
import type { Room } from './room.js'

const DELETE_LINE = 'chat.delete_line'
const text = (max: number) => z.string().trim().min(1).max(max)

export class ChatAvatar extends Avatar<ChatMind> implements Local<Chat> {
  static readonly remote: RemoteMethods<Chat> = {
    say: [text(500)],
    askEverybody: [text(140)],
    clear: { requires: DELETE_LINE },
  }
  readonly #room: Room

  constructor(session: AvatarSession, room: Room) {
    super(session)
    this.#room = room
  }

  override async attached() {
    this.#room.enter(this)
    tell(this.mind).permitted(await this.session.hasPerm(DELETE_LINE))
  }

  override detached() {
    this.#room.leave(this)
  }

  say(text: string) {
    this.#room.say(this.user.username, text)
  }

  askEverybody(text: string) {
    return this.#room.askEverybody(this.user.username, text)
  }

  clear() {
    this.#room.clear(this.user.username)
  }
}
