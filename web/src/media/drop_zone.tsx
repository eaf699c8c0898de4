// Files that are dragged over a room may be dropped anywhere in it.
import type { Room } from '@parley/client';
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { t } from '@/i18n/i18n';
import { titleOf } from '@/people/title';
import { Icon } from '@/ui/icon';

interface DropZoneProps {
  room: Room;
  onFiles: (files: Iterable<File>) => void;
  children: ComponentChildren;
}

export function DropZone({ room, onFiles, children }: DropZoneProps) {
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  const hasFiles = (event: DragEvent) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  const moved = (by: number) => (event: DragEvent) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth.current = Math.max(0, depth.current + by);
    setOver(depth.current > 0);
  };
  return (
    <div
      class="drop-zone" onDragEnter={moved(1)} onDragLeave={moved(-1)} onDragOver={(event) => hasFiles(event) && event.preventDefault()}
      onDrop={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        depth.current = 0;
        setOver(false);
        onFiles(event.dataTransfer?.files ?? []);
      }}
    >
      {children}
      {over && <div class="drop-here"><p><Icon name="attach" size={28} />{t('dropHere', { name: titleOf(room) })}</p></div>}
    </div>
  );
}
