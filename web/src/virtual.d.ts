declare module 'virtual:emoji' {
  /** Groups between empty lines; in each line an emoji, a space, and its name. */
  const text: string;
  export default text;
}
