import type { Place } from './board-page.js'
export function testPlain(_place: () => Place): void {}
