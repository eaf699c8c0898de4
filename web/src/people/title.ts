import type { Room } from '@parley/client';
import { t } from '@/i18n/i18n';
import { partnerOf, people } from './people';

/** What a room is called on this page. */
export function titleOf(room: Room): string {
  if (room.info?.kind !== 'dm') return room.info?.name ?? '';
  const partner = partnerOf(room);
  return (partner && people.nameOf(partner)) || t('directMessage');
}

/** Of somebody whose name is not known (any more). */
export function nameOf(id: string): string {
  return people.nameOf(id) || t('somebody');
}
