// The health check of the image, which has no curl: ends with 0 while new clients are welcome.
const { status } = await fetch(`http://127.0.0.1:${process.env.PORT ?? 8000}/health`);
process.exitCode = status === 200 ? 0 : 1;
