// A blur of a picture out of some twenty characters (https://blurha.sh), drawn while the picture is on its way.
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~';

const number = (text: string) => [...text].reduce((sum, digit) => sum * 83 + DIGITS.indexOf(digit), 0);
const linear = (value: number) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const screen = (value: number) => {
  const v = Math.max(0, Math.min(1, value));
  return Math.round((v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055) * 255);
};
const signedSquare = (value: number) => Math.sign(value) * value * value;

export function drawBlurhash(canvas: HTMLCanvasElement, hash: string): void {
  const size = number(hash.slice(0, 1));
  const [columns, rows] = [(size % 9) + 1, Math.floor(size / 9) + 1];
  if (hash.length !== 4 + 2 * columns * rows) return;
  const scale = (number(hash.slice(1, 2)) + 1) / 166;
  const colours = Array.from({ length: columns * rows }, (_, i) => {
    if (i === 0) {
      const value = number(hash.slice(2, 6));
      return [linear(value >> 16), linear((value >> 8) & 255), linear(value & 255)];
    }
    const value = number(hash.slice(4 + i * 2, 6 + i * 2));
    return [Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19].map((v) => signedSquare((v - 9) / 9) * scale);
  });
  const { width, height } = canvas;
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sum = [0, 0, 0];
      colours.forEach((colour, i) => {
        const basis = Math.cos((Math.PI * x * (i % columns)) / width) * Math.cos((Math.PI * y * Math.floor(i / columns)) / height);
        for (let c = 0; c < 3; c++) sum[c]! += colour[c]! * basis;
      });
      image.data.set([...sum.map(screen), 255], (y * width + x) * 4);
    }
  }
  context.putImageData(image, 0, 0);
}
