// How alike two pictures are, for machines whose letters differ: [brightness, redness, shade].
// The first two are correlations of the means of squares, blurred over their neighbours, so that an
// edge may move a little; the third is how much brighter one is than the other, of 255.
async (pictures) => {
  const SQUARE = 16;

  async function squares(encoded) {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const { width, height } = image;
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const [across, down] = [Math.ceil(width / SQUARE), Math.ceil(height / SQUARE)];
    const [green, red, count] = [0, 0, 0].map(() => new Float64Array(across * down));
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at += 4) {
        const square = Math.floor(y / SQUARE) * across + Math.floor(x / SQUARE);
        green[square] += data[at + 1];
        red[square] += data[at] - data[at + 1];
        count[square]++;
      }
    }
    const blurred = (sums) =>
      sums.map((_, square) => {
        const [x0, y0] = [square % across, Math.floor(square / across)];
        let [sum, pixels] = [0, 0];
        for (let y = Math.max(y0 - 1, 0); y <= Math.min(y0 + 1, down - 1); y++) {
          for (let x = Math.max(x0 - 1, 0); x <= Math.min(x0 + 1, across - 1); x++) {
            sum += sums[y * across + x];
            pixels += count[y * across + x];
          }
        }
        return sum / pixels;
      });
    return { size: `${width} ${height}`, green: blurred(green), red: blurred(red) };
  }

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  function alike(ones, others) {
    const [one, other] = [mean(ones), mean(others)];
    const product = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
    const [a, b] = [ones.map((value) => value - one), others.map((value) => value - other)];
    return product(a, b) / Math.sqrt(product(a, a) * product(b, b) || 1);
  }

  const [one, other] = [await squares(pictures[0]), await squares(pictures[1])];
  if (one.size !== other.size) return [0, 0, 255];
  return [
    alike(one.green, other.green),
    alike(one.red, other.red),
    Math.abs(mean(one.green) - mean(other.green)),
  ];
}
