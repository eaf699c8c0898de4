export function Admin({ tab }: { tab: string }) {
  return <main class="chat" id="main">{tab}</main>;
}
