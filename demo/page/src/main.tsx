import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.js'

const element = document.getElementById('app')
if (element === null) throw new Error('index.html has no #app')
createRoot(element).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
